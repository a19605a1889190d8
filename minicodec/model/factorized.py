"""Support: learned codebooks, looked up in few dimensions, by direction, and trained by gradient.

The codebooks of `quantize` are averages, and need k-means, moving totals and revived codes to stay
in use. DAC gets there another way: each level projects the residual to a handful of dimensions,
compares directions only, and lets the optimizer move the codebook. In so few dimensions, and with
lengths ignored, few codes lie where no latent comes. From outside it is the same quantizer.

Kumar et al. 2023, "High-Fidelity Audio Compression with Improved RVQGAN", section 3.2.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minicodec.model.config import CODE_DIM
from minicodec.model.quantize import Quantized, ResidualVectorQuantizer, nearest


class FactorizedCodebook(nn.Module):
    """`size` directions in `code_dim` dimensions, with learned ways there and back.

    >>> book = FactorizedCodebook(size=16, dim=8, code_dim=2)
    >>> book.decode(book.encode(torch.randn(5, 8))).shape
    torch.Size([5, 8])
    """

    def __init__(self, size: int, dim: int, code_dim: int = CODE_DIM):
        super().__init__()
        self.down = nn.Linear(dim, code_dim)
        self.up = nn.Linear(code_dim, dim)
        self.embedding = nn.Parameter(torch.randn(size, code_dim))

    def encode(self, x: Tensor) -> Tensor:
        """Shape: x [N, D] → codes [N]."""
        return nearest(F.normalize(self.down(x)), F.normalize(self.embedding))

    def decode(self, codes: Tensor) -> Tensor:
        """Shape: codes [...] → [..., D]."""
        return self.up(F.embedding(codes, self.embedding))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors [N, D] with a straight-through gradient, codes [N], and the loss of both sides.

        The codes are pulled to the latents, and, four times weaker, the latents to the codes.
        """
        low = self.down(x)
        codes = nearest(F.normalize(low), F.normalize(self.embedding))
        vector = F.embedding(codes, self.embedding)
        loss = F.mse_loss(vector, low.detach()) + 0.25 * F.mse_loss(low, vector.detach())
        return self.up(low + (vector - low).detach()), codes, loss


class FactorizedQuantizer(ResidualVectorQuantizer):
    """Residual quantization with learned codebooks, in the shape of `ResidualVectorQuantizer`.

    Args:
        dim: D, of one latent vector.
        n_q: codebooks.
        codebook_size: entries in each.
        code_dim: dimensions in which codes are looked up.

    Shape:
        x: [B, D, T] → quantized [B, D, T], codes [B, K, T] with K ≤ n_q

    >>> rvq = FactorizedQuantizer(dim=8, n_q=4, codebook_size=16)
    >>> codes = rvq.encode(torch.randn(1, 8, 5), n_q=2)
    >>> codes.shape, rvq.decode(codes).shape
    (torch.Size([1, 2, 5]), torch.Size([1, 8, 5]))
    """

    def __init__(self, dim: int, n_q: int, codebook_size: int = 1024, code_dim: int = CODE_DIM):
        super().__init__(dim, 0)
        self.codebooks = nn.ModuleList(
            FactorizedCodebook(codebook_size, dim, code_dim) for _ in range(n_q)
        )

    def forward(self, x: Tensor, n_q: int | None = None) -> Quantized:
        """Quantize; the commitment holds the losses of codebooks and latents, mean over levels.

        Raises:
            ValueError: as `encode`.
        """
        residual = self._flatten(x)
        total, codes, losses = torch.zeros_like(residual), [], []
        for book in self._levels(n_q):
            vector, index, loss = book(residual)
            residual, total = residual - vector, total + vector
            codes.append(index.view(x.shape[0], x.shape[2]))
            losses.append(loss)
        quantized = total.view(x.shape[0], x.shape[2], self.dim).transpose(1, 2)
        return Quantized(quantized, torch.stack(codes, dim=1), torch.stack(losses).mean())
