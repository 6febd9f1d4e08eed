def f : Nat → Nat
  | 0 => sorry
  | _ + 1 => sorry
theorem t : f 1 = 0 := sorry
