# oomScoreAdj.
.process.oomScoreAdj = 123 | .process.args = ["cat", "/proc/self/oom_score_adj"]
