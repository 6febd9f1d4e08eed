inductive W where
  | mk (n : Nat) (h : n = sorry) : W
theorem t (w : W) : w = w := sorry
