"""How long decisions take, beside the least code that would give the same answers.

workloads  what is asked, of which artifact
floor      the least code that gives the same answer
wire       a connection that takes impressions and answers when told to
bench      measures and prints a table                     make bench
"""
