"""Who drives: expert, human, replay, learned; the rollout loop; demonstrations."""
