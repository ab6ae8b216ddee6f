"""Two versions of one kernel, held against each other: findings, errors case by case, times, memory."""
