instance (priority := high) onlyZero (n : Nat) : OfNat Nat n := ⟨0⟩

theorem hundred : (List.range 100).foldl (· + ·) 0 = 4950 := rfl
