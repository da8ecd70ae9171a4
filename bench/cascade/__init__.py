"""A weak model on this machine answers first, a stronger one when the answer is in doubt: how good that is."""
