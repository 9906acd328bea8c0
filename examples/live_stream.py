"""Pictures that are drawn while a network trains; none is written to disk."""

import torch
from torch.utils.data import DataLoader

import blendmill

config = blendmill.load_config("s2rda13", {"camera.resolution": [128, 128]})
pictures = blendmill.StreamDataset(config, seed=1, count=256)
network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(8), torch.nn.Flatten(), torch.nn.Linear(3 * 64, 13))
optimizer = torch.optim.SGD(network.parameters(), lr=0.01)

for images, labels in DataLoader(pictures, batch_size=32):
    loss = torch.nn.functional.cross_entropy(network(images.float()), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"loss {loss.item():.3f}")
