theorem nat_min_max_sum (a b : Nat) : min a b + max a b = b + a := sorry
