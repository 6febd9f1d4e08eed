def f (n : Nat) : Nat := match n with
  | 0 => sorry
  | n + 1 => n
theorem t : f 1 = 0 := sorry
