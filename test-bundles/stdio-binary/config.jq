# Every byte value passes both ways unchanged.
.process.args = ["cat"]
