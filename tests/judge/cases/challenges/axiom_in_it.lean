axiom deep : ∀ n : Nat, n < 5

theorem four : 4 < 5 := sorry
