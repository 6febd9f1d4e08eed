theorem nat_add_shuffle (a b c d : Nat) : a + b + (c + d) = d + b + (c + a) := by omega
