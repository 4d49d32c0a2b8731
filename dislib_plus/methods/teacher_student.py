"""Teacher and students: a code that grows, while Jacobian supervision keeps what the teacher has learned."""

import functools

import gin
import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks, replicas, seeds
from dislib_plus.configuration import ConfigurationError
from dislib_plus.latents import LatentSpec, NormalGroup
from dislib_plus.losses import cross_covariance, factor_units, jacobian
from dislib_plus.meanings import Meaning
from dislib_plus.methods import partial_updates, teachers
from dislib_plus.methods.autoencoder import Autoencoder, first_output
from dislib_plus.methods.stages import Stage
from dislib_plus.networks.encoders import make_encoder
from dislib_plus.networks.growth import frozen_copy, unit_weights, warm_start
from dislib_plus.networks.lezama import lezama_conv_decoder, lezama_conv_encoder

# Lezama's own code for MNIST; the baseline in MS-VAE's published code; the one that pro-VLAE's paper compares with,
# whose details no source states.
PRESETS = {
    "lezama": {"kind": "autoencoder", "networks": "gin", "pairs": "permutation", "factor_units": "last",
               "teacher_statistics": "moving", "pixel_weight": 1.0, "weight_decay": 1e-6},
    "ms_vae": {"kind": "autoencoder", "networks": "convolutional", "pairs": "next_batch", "factor_units": "first",
               "teacher_statistics": "none", "pixel_weight": 1.0, "weight_decay": 0.0},
    "pro_vlae": {"kind": "vae", "networks": "gin", "pairs": "permutation", "factor_units": "last",
                 "teacher_statistics": "none", "pixel_weight": None, "weight_decay": 0.0},
}
_CHOICES = {"kind": ("autoencoder", "vae"), "networks": ("gin", "convolutional"),
            "pairs": ("permutation", "next_batch"), "factor_units": factor_units.PLACES,
            "teacher_statistics": ("none", "moving", "batch")}


@keras.saving.register_keras_serializable("dislib_plus")
@gin.configurable("teacher_student")
class TeacherStudent(Autoencoder):
    """Jacobian supervision (Lezama 2019): each student has more units than its teacher and keeps what those do.

    A student's code is (y, n): factor units y, as many as the teacher's code t has, and nuisance units n. With T and S
    the images of teacher and student, x' another image of the batch (or of another batch), and W = pixel_weight,

        loss = W [mean_p error_p + lambda_code mean_j (y_j - t_j)^2
                  + lambda_jacobian mean_p ((T(t) - T(t')) - (S(y, n) - S(y', n)))_p^2
                  + lambda_cross_covariance || (n - mean n)^T (y - mean y) ||_F / B]  [+ KL(q(z|x) || p(z))],

    where a VAE has y, n and t as posterior means, and decodes a sample for the error. The teacher is trained first, and
    stays fixed; each student is the next one's teacher. All students are one network of the last one's size: the units
    that are still to come are 0, and they, their weights and optimizer slots stay as they are, bit for bit. A student
    begins with the weights of its teacher; where the teacher is another model, its rows and columns go to the factor
    units and the new units keep their fresh weights.

    Args:
      student_units: units of the codes of the students, growing: [3, 4] are two students.
      teacher: the first teacher, @beta_tc_vae() or another VAE of one stage; or `@trained_model(path)`, which stays as
        it is; None: a model of the students' kind on gin's networks, of `teacher_units` units.
      teacher_units: units of such a teacher.
      teacher_steps: iterations of the teacher; None: as each student (`model.training_steps`). gin's
        `teacher_optimizer`, where bound, trains it, else `vae_optimizer`.
      teacher_batch_size: images; None: as the students.
      lambda_code, lambda_jacobian, lambda_cross_covariance: see above, >= 0.
      warm_start: whether the first student begins with those weights of the teacher that fit; see growth.warm_start.
      preset: "lezama", "ms_vae" or "pro_vlae" (see PRESETS); sets the next seven unless they are given.
      kind: "autoencoder" (deterministic codes, no KL) or "vae".
      networks: of the students: "gin" (`encoder` and `decoder`), or "convolutional", see networks.lezama.
      pairs: x': "permutation" of the batch, or "next_batch", the images of another batch.
      factor_units: where y stands in the code, "first" or "last".
      teacher_statistics: batch normalisation of the codes of an own teacher of the kind "autoencoder": "none",
        "moving": its moving mean and variance hold in the first student's stage, "batch": those of each batch do.
      pixel_weight: W, > 0; None: the number of pixels, so that errors of images are plain sums.
      weight_decay: see Autoencoder.
      kwargs: see VAE; `latents` follow from student_units.
    """

    meanings = {
        "code": Meaning("mean squared difference of the factor units and the teacher's codes, weight 1", low=0),
        "jacobian": Meaning("mean squared difference of what the factor units and the teacher's do to a pixel, "
                            "weight 1", low=0),
        "cross_covariance": Meaning("norm of the covariances of factor and nuisance units, weight 1", low=0),
    }

    def __init__(self, student_units, teacher=None, teacher_units=2, teacher_steps=None, teacher_batch_size=None,
                 lambda_code=0.25, lambda_jacobian=0.1, lambda_cross_covariance=1e-3, warm_start=True,
                 preset="lezama", kind=None, networks=None, pairs=None, factor_units=None, teacher_statistics=None,
                 pixel_weight=None, weight_decay=None, **kwargs):
        checks.one_of("teacher_student.preset", preset, tuple(PRESETS))
        given = {"kind": kind, "networks": networks, "pairs": pairs, "factor_units": factor_units,
                 "teacher_statistics": teacher_statistics, "pixel_weight": pixel_weight, "weight_decay": weight_decay}
        chosen = {name: PRESETS[preset][name] if value is None else value for name, value in given.items()}
        for name, choices in _CHOICES.items():
            checks.one_of(f"teacher_student.{name}", chosen[name], choices)
        super().__init__(**{name: chosen[name] for name in ("kind", "pixel_weight", "weight_decay")}, **kwargs)
        self.student_units = checks.whole_numbers("teacher_student.student_units", student_units)
        checks.count("teacher_student.teacher_units", teacher_units, 1)
        for name, value in (("teacher_steps", teacher_steps), ("teacher_batch_size", teacher_batch_size)):
            checks.optional_whole(f"teacher_student.{name}", value, 1)
        for name, value in (("lambda_code", lambda_code), ("lambda_jacobian", lambda_jacobian),
                            ("lambda_cross_covariance", lambda_cross_covariance)):
            checks.at_least(f"teacher_student.{name}", value, 0)
        checks.boolean("teacher_student.warm_start", warm_start)
        self.teacher_units = teacher_units
        self.teacher_steps, self.teacher_batch_size = teacher_steps, teacher_batch_size
        self.lambda_code, self.lambda_jacobian = lambda_code, lambda_jacobian
        self.lambda_cross_covariance = lambda_cross_covariance
        self.warm_start = warm_start
        self.preset = preset
        self.networks, self.pairs = chosen["networks"], chosen["pairs"]
        self.factor_units, self.teacher_statistics = chosen["factor_units"], chosen["teacher_statistics"]
        if self.variational and self.teacher_statistics != "none":
            raise ConfigurationError("teacher_student.teacher_statistics must be 'none' with kind 'vae', whose means "
                                     f"are not normalised; received {self.teacher_statistics!r}.")
        if teacher is not None:
            teachers.check(teacher)
        self.teacher = self._own_teacher() if teacher is None else teacher

    def _own_teacher(self):
        return Autoencoder(kind=self.kind, normalize_code=self.teacher_statistics != "none",
                           pixel_weight=self.pixel_weight, weight_decay=self.weight_decay, latents=self.teacher_units,
                           reconstruction=self.reconstruction)

    @property
    def needs(self):
        """The parts of a batch: images, and other images where the pairs come from them."""
        return ("x", "second_x") if self.pairs == "next_batch" else ("x",)

    @property
    def terms(self):
        """Names of the loss terms."""
        return (*super().terms, "code", "jacobian", "cross_covariance")

    def get_config(self):
        config = super().get_config()
        config["teacher"].pop("compile_config", None)
        return config

    # Construction

    def build(self, input_shape):
        if self.built:
            return
        super().build(input_shape)
        state = {"dtype": "int64", "trainable": False, "aggregation": "only_first_replica"}
        self.student = self.add_weight(name="student", shape=(), initializer="ones", **state)
        self.begun = self.add_weight(name="begun", shape=(len(self.student_units),), initializer="zeros", **state)

    def build_networks(self, observation_shape):
        if self.latents is not None:
            self.latents.check(self.latent_groups, type(self).__name__)
        teachers.build(self.teacher, observation_shape, by_batch=self.teacher_statistics == "batch")
        sizes = [self.teacher.num_latents, *self.student_units]
        if sorted(set(sizes)) != sizes:
            raise ConfigurationError(f"teacher_student.student_units must grow from the teacher's {sizes[0]} units; "
                                     f"received {self.student_units}.")
        if self.latents is None:
            self.latents = LatentSpec(_blocks(sizes, self.factor_units))
        if self.latents.size != sizes[-1]:
            raise ConfigurationError(f"The latents of TeacherStudent must be the {sizes[-1]} units of its last student "
                                     f"(teacher_student.student_units); received {self.latents.size}.")
        self._columns = np.stack([factor_units.columns(size, sizes[-1], self.factor_units) for size in sizes])
        self._build_students(observation_shape)

    def _build_students(self, observation_shape):
        units = LatentSpec(self.latents.size)  # One pair of heads for all groups.
        if self.encoder is None:
            encoder = (lezama_conv_encoder(observation_shape, units) if self.networks == "convolutional"
                       else make_encoder(observation_shape, units)[0])
            self.encoder = encoder if self.variational else first_output(encoder)
        if self.decoder is None and self.networks == "convolutional":
            self.decoder = lezama_conv_decoder(units.size, observation_shape)
        super().build_networks(observation_shape)
        self.previous_encoder = self.previous_decoder = None
        if len(self.student_units) > 1:
            unit_weights(self.encoder, self.decoder)  # refuses networks that cannot grow
            self.previous_encoder = frozen_copy(self.encoder)
            self.previous_decoder = frozen_copy(self.decoder)

    # Stages

    def stages(self):
        """The teacher, unless it was trained elsewhere, then each student."""
        students = [Stage(f"student_{units}", self, begin=functools.partial(self._begin, number))
                    for number, units in enumerate(self.student_units, 1)]
        if not self.teacher.trainable:
            return students
        return [Stage("teacher", self.teacher, self.teacher_steps, self.teacher_batch_size, teachers.optimizer()),
                *students]

    def _begin(self, number, dataset):
        self.begin_student(number)

    def begin_student(self, number):
        """Makes student `number`, counted from 1, of its teacher: the one before it, or the first teacher."""
        if number > 1:
            self.previous_encoder.set_weights(self.encoder.get_weights())
            self.previous_decoder.set_weights(self.decoder.get_weights())
        elif self.warm_start:
            for network, smaller in ((self.encoder, self.teacher.encoder), (self.decoder, self.teacher.decoder)):
                warm_start(network, smaller, self._columns[0])
        self.student.assign(number)
        self.begun.assign(tf.tensor_scatter_nd_update(self.begun.value, [[number - 1]], [self.step]))

    @property
    def step_ends(self):
        """Numbers of updates after which a teacher's training ended and that of its student began, up to the present
        student's."""
        return self.begun.numpy()[:int(self.student)].tolist()

    def update(self, player, gradients):
        """Leaves the units that are still to come as they are, weights and optimizer slots."""
        update = functools.partial(super().update, player, gradients)
        if self.previous_encoder is None:
            return update()
        active = self.active_units()
        used = [(weight, active if axis else active[:, None])
                for weight, axis in unit_weights(self.encoder, self.decoder)]
        return partial_updates.update_used(update, self.optimizer_of(player), used)

    # Codes

    @property
    def factor_columns(self):
        """Columns of the code that are the first teacher's units, list of integers."""
        return np.flatnonzero(self._columns[0]).tolist()

    def active_units(self):
        """Units of the present student, bool [units]."""
        return tf.gather(self._columns, self.student.value)

    def taught_units(self):
        """Factor units of the present student, its teacher's, bool [units]."""
        return tf.gather(self._columns, self.student.value - 1)

    def coded(self, x, training=False):
        active = self.active_units()
        outputs = keras.tree.flatten(self.encoder(self.observed(x), training=training))
        outputs = [tf.where(active, tf.cast(output, tf.float32), 0.0) for output in outputs]
        if not self.variational:
            return outputs[0], None
        groups = zip(*(self.latents.split(output) for output in outputs))
        q = self.latents.posterior([head for heads in groups for head in heads])
        return q.code(), q

    def decoder_input(self, z):
        """Codes of which the units that are still to come are 0."""
        return tf.where(self.active_units(), z, 0.0)

    # Loss

    def taught(self, x):
        """The teacher's codes of images x in their columns, [batch, units], and its images of them; no gradient."""
        if self.previous_encoder is None:
            codes, images = self._of_teacher(x)
        else:
            codes, images = tf.cond(tf.equal(self.student.value, 1), lambda: self._of_teacher(x),
                                    lambda: self._of_previous(x))
        return tf.stop_gradient(codes), tf.stop_gradient(images)

    def _of_teacher(self, x):
        by_batch = self.teacher_statistics == "batch"
        codes = self.teacher.coded_by_batch(x) if by_batch else self.teacher.represent(x)
        return (factor_units.placed(codes, self.latents.size, self.factor_units), self.teacher.decode(codes))

    def _of_previous(self, x):
        codes = keras.tree.flatten(self.previous_encoder(x, training=False))[0]
        codes = tf.where(self.taught_units(), tf.cast(codes, tf.float32), 0.0)
        return codes, self.reconstruction.mean(self.previous_decoder(codes, training=False))

    def supervision(self, batch, code, images, training, seed):
        factors = self.taught_units()
        taught, taught_images = self.taught(self.observed(batch["x"]))
        if self.pairs == "next_batch":
            second = self.observed(batch["second_x"])
            others, taught_others = self.coded(second, training)[0], self.taught(second)[1]
        else:
            rows = seeds.permutation(tf.shape(replicas.gather(code))[0], seeds.stream(seed, "pairs"))
            others, taught_others = replicas.permuted(code, rows), replicas.permuted(taught_images, rows)
        images = self._decoded(code, training) if images is None else images
        moved = self._decoded(factor_units.exchanged(code, others, factors), training)
        nuisance = tf.where(factors, 0.0, code)
        return {"code": jacobian.code_error(code, taught, factors),
                "jacobian": jacobian.difference_error(images, moved, taught_images, taught_others),
                "cross_covariance": cross_covariance.cross_covariance(nuisance, tf.where(factors, code, 0.0))}

    def _decoded(self, code, training):
        return self.reconstruction.mean(self.decoder(self.decoder_input(code), training=training))

    def loss_weights(self):
        return {**super().loss_weights(), "code": self.scale * self.lambda_code,
                "jacobian": self.scale * self.lambda_jacobian,
                "cross_covariance": self.scale * self.lambda_cross_covariance}


def _blocks(sizes, place):
    """One group a block of units, named z1, z2, ... from the last student's to the teacher's, in their columns."""
    added = np.diff([0, *sizes])
    groups = [NormalGroup(int(size), name=f"z{len(sizes) - number}") for number, size in enumerate(added)]
    return groups if place == "first" else groups[::-1]
