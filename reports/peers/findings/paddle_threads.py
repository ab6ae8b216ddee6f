"""paddle | memory error | compiled, unmodified | paddle.grad of independent losses in several threads at once ends the process, or raises SystemError"""

from threading import Thread

import paddle
from paddle.nn.functional import cross_entropy

failed = []


def work() -> None:
    try:
        for _ in range(300):
            logits = paddle.zeros([2, 721])
            logits.stop_gradient = False
            paddle.grad(cross_entropy(logits, paddle.to_tensor([0, 1])), logits)
    except SystemError as error:
        failed.append(str(error).strip().splitlines()[-3:])


threads = [Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(failed), "of 4 threads failed", failed[:1])
