"""fla-core | accepts invalid input | interpreted, unmodified | a target of C or more has the loss logsumexp, as if its logit were 0; label_smoothing above 1 is taken"""

import os

os.environ["TRITON_INTERPRET"] = "1"
import torch
from fla.modules.fused_cross_entropy import cross_entropy_loss

logits = torch.tensor([[1.0, 2.0]])
print("target 2 of 2 classes:", cross_entropy_loss(logits, torch.tensor([2]))[0], "logsumexp:", logits.logsumexp(1))
print("smoothing 1.5:", cross_entropy_loss(logits, torch.tensor([0]), label_smoothing=1.5)[0])
