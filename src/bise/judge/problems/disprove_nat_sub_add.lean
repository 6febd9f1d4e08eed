theorem nat_sub_add (a b c : Nat) (h : c ≤ b) : a - (b - c) = a - b + c := sorry
