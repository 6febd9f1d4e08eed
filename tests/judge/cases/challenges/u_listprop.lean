def props : List (Nat → Prop) := sorry
theorem t : ∀ p ∈ props, p 3 := sorry
