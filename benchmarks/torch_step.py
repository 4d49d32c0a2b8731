"""The reference side of training_step.py: the standard conv VAE in eager PyTorch, channels_last, Adam.

Run by training_step.py as a worker: it reads a number of steps a line on standard
input and answers with the seconds that they took.
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional


def networks(channels, latents):
    """(encoder, decoder) of the published table, channels_last."""
    encoder = nn.Sequential(
        nn.Conv2d(channels, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 4, 2, 1), nn.ReLU(),
        nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(), nn.Conv2d(64, 64, 4, 2, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 2 * latents))
    decoder = nn.Sequential(
        nn.Linear(latents, 256), nn.ReLU(), nn.Linear(256, 1024), nn.ReLU(), nn.Unflatten(1, (64, 4, 4)),
        nn.ConvTranspose2d(64, 64, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, channels, 4, 2, 1))
    return encoder.to(memory_format=torch.channels_last), decoder.to(memory_format=torch.channels_last)


def total_correlation(z, mean, log_var):
    """mean_i [ log q(z_i) - sum_j log q(z_ij) ] up to a constant, a scalar in nats."""
    table = -0.5 * (1.8378770664093453 + log_var[None] + (z[:, None] - mean[None]) ** 2 * torch.exp(-log_var[None]))
    return (torch.logsumexp(table.sum(2), 1) - torch.logsumexp(table, 1).sum(1)).mean()


def main(objective, batch, channels, latents=10, beta=4.0):
    """Answers each line of standard input with the seconds of that many steps."""
    torch.manual_seed(0)
    torch.set_num_threads(2)
    encoder, decoder = networks(channels, latents)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-4)
    images = torch.rand(batch, channels, 64, 64).to(memory_format=torch.channels_last)

    def step():
        mean, log_var = encoder(images).chunk(2, 1)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        reconstruction = functional.binary_cross_entropy_with_logits(decoder(z), images, reduction="sum") / batch
        kl = 0.5 * (mean ** 2 + log_var.exp() - log_var - 1).sum(1).mean()
        loss = reconstruction + (beta * kl if objective == "beta_vae"
                                 else kl + (beta - 1) * total_correlation(z, mean, log_var))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for line in sys.stdin:
        started = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
