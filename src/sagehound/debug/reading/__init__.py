"""What a trial is made of: the saved steps and tensors of one training, as numbers, tables and pictures."""
