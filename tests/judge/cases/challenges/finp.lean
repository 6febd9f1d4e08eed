def pick (xs : List Nat) (i : Fin xs.length) : Nat := xs[i]

theorem pick_first (x : Nat) (xs : List Nat) : pick (x :: xs) ⟨0, by simp⟩ = x := sorry
