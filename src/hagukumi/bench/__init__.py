"""Performance: each workload measures ours and the limit in one run (docs: performance). `run.main` starts one by name."""
