"""What is learned: policies, windows of episodes, fitting, checkpoints. Arrays in, arrays out."""
