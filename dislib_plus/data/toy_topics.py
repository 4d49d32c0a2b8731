"""`toy_topics`: generated documents about known topics, no files: for topic models as sprites are for images."""

import numpy as np
import tensorflow as tf

from dislib_plus.data.base import GroundTruthData
from dislib_plus.data.registry import register

TOPICS = {
    "baking": "flour oven dough butter sugar yeast bread cake cream crust",
    "space": "orbit planet rocket star moon comet galaxy telescope gravity launch",
    "garden": "soil seed flower prune lawn compost root hedge bloom spade",
    "music": "guitar chord melody rhythm concert piano violin song drum choir",
    "health": "doctor patient vaccine fever clinic nurse symptom surgery dose blood",
    "sailing": "anchor mast harbour sail tide keel wind deck rudder voyage",
}
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)
DRAWS = 16
LENGTH = 40
OWN = 0.95  # share of a topic's words that are its own; the others are any words
VOCABULARY = [word for words in TOPICS.values() for word in words.split()]


def word_probabilities():
    """p(word|topic), [topics, words]: the ten words of a topic fall linearly in frequency, all others are equal."""
    own = np.arange(10, 0, -1) / 55
    table = np.full((len(TOPICS), len(VOCABULARY)), (1 - OWN) / len(VOCABULARY))
    for topic in range(len(TOPICS)):
        table[topic, 10 * topic:10 * topic + 10] += OWN * own
    return table


class ToyTopics(GroundTruthData):
    """Documents of 40 words from two topics, counts float32 [60].

    Factors: the first topic, the second one, and the share of the first in five steps from 0.5 to 0.9 (where both are
    the same topic the share does not matter); there are 16 documents of each kind.

    Attributes:
      vocabulary: the words, in the order of the counts.
      labels: the first topic; label_names: what they mean.
    """

    def __init__(self):
        sizes = [len(TOPICS), len(TOPICS), len(SHARES), DRAWS]
        super().__init__("toy_topics", ["first topic", "second topic", "share", "draw"], sizes, visible=[0, 1, 2])
        self.observation_shape, self.vocabulary = [len(VOCABULARY)], list(VOCABULARY)
        factors = self.index_to_factors(np.arange(self.num_observations))
        self.labels, self.label_names = factors[:, 0], list(TOPICS)
        table, share = word_probabilities(), np.asarray(SHARES)[factors[:, 2], None]
        mixed = share * table[factors[:, 0]] + (1 - share) * table[factors[:, 1]]
        random_state = np.random.RandomState(0)
        with tf.device("CPU"):
            self._counts = tf.constant([random_state.multinomial(LENGTH, row) for row in mixed], tf.uint8)

    def observations(self, indices, seed=None):
        """Counts of the given documents: float32 [n, words]."""
        return tf.cast(tf.gather(self._counts, indices), tf.float32)


@register("toy_topics")
def toy_topics(data_dir=None):
    """2,880 documents of 60 words about six topics."""
    return ToyTopics()
