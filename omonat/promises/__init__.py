"""One room per section of the policy. A room never imports another: when two must meet, a flow introduces them."""
