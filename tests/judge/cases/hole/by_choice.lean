def find (f : Nat → Nat) (h : ∃ n, f n = 0) : Nat := h.choose

theorem find_spec (f : Nat → Nat) (h : ∃ n, f n = 0) : f (find f h) = 0 := h.choose_spec
