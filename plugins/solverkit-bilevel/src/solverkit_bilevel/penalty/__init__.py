"""The penalty method of Kwon, Kwon, Wright and Nowak, and what it is made of."""
