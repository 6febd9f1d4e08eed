def g : Nat := 5
theorem t : g = 5 := rfl
