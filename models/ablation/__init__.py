"""What single choices are worth: the paper's ablations (tables 5 to 7), one command each."""
