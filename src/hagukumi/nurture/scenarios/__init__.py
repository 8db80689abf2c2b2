"""Scenarios: who gets what, when, and what happens then, without anybody pressing a button.

Tables: scenario, scenario_version, enrollment, scenario_node_count. Verbs: `services`. The beat's step: `tick.step`.
"""
