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


def discriminator_network(latents):
    """Six layers of 1,000 units with leaky ReLU, two logits."""
    sizes = [latents] + [1000] * 6
    hidden = [layer for sizes in zip(sizes, sizes[1:]) for layer in (nn.Linear(*sizes), nn.LeakyReLU(0.2))]
    return nn.Sequential(*hidden, nn.Linear(1000, 2))


def vae_terms(encoder, decoder, images):
    """(reconstruction + KL in nats, KL, z, mean, log variance) of a batch."""
    mean, log_var = encoder(images).chunk(2, 1)
    z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
    reconstruction = functional.binary_cross_entropy_with_logits(decoder(z), images, reduction="sum") / len(images)
    kl = 0.5 * (mean ** 2 + log_var.exp() - log_var - 1).sum(1).mean()
    return reconstruction + kl, kl, z, mean, log_var


def plain_step(objective, encoder, decoder, images, beta=4.0):
    """A step of beta-VAE or beta-TCVAE."""
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-4)

    def step():
        loss, kl, z, mean, log_var = vae_terms(encoder, decoder, images)
        loss = loss + (beta - 1) * (kl if objective == "beta_vae" else total_correlation(z, mean, log_var))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return step


def factor_step(encoder, decoder, images, latents, gamma=10.0):
    """A step of FactorVAE: both updates from one forward pass, the permuted codes of the same batch."""
    discriminator = discriminator_network(latents)
    parameters, adversaries = [*encoder.parameters(), *decoder.parameters()], [*discriminator.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-4)
    adversary = torch.optim.Adam(adversaries, lr=1e-4, betas=(0.5, 0.9))
    classes = torch.zeros(len(images), dtype=torch.long)

    def step():
        loss, _, z, _, _ = vae_terms(encoder, decoder, images)
        logits = discriminator(z)
        loss = loss + gamma * (logits[:, 0] - logits[:, 1]).mean()
        optimizer.zero_grad()
        loss.backward(retain_graph=True, inputs=parameters)
        permuted = torch.stack([column[torch.randperm(len(z))] for column in z.detach().T], 1)
        discriminator_loss = 0.5 * (functional.cross_entropy(logits, classes)
                                    + functional.cross_entropy(discriminator(permuted), classes + 1))
        adversary.zero_grad()
        discriminator_loss.backward(inputs=adversaries)
        optimizer.step()
        adversary.step()
    return step


def main(objective, batch, channels, latents=10):
    """Answers each line of standard input with the seconds of that many steps."""
    torch.manual_seed(0)
    torch.set_num_threads(2)
    encoder, decoder = networks(channels, latents)
    images = torch.rand(batch, channels, 64, 64).to(memory_format=torch.channels_last)
    step = (factor_step(encoder, decoder, images, latents) if objective == "factor_vae"
            else plain_step(objective, encoder, decoder, images))

    for line in sys.stdin:
        started = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
