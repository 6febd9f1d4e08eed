structure A where
  x : Nat
structure B extends A where
  x := sorry
theorem t (b : B) : b.x = b.x := sorry
