def pick (xs : List Nat) (i : Fin xs.length) : Nat := xs[i]

theorem zero_lt (x : Nat) (xs : List Nat) : 0 < (x :: xs).length := Nat.succ_pos _

theorem pick_first (x : Nat) (xs : List Nat) : pick (x :: xs) ⟨0, zero_lt x xs⟩ = x := rfl
