# A devpts of the container's own: the first terminal made in it is number 0.
.
