"""Performance: each workload measures ours and the limit in one run. `run.main` starts one by name."""
