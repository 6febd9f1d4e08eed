def Op := Bool

theorem match_in_it (n : Nat) (h : match n with | 0 => False | _ + 1 => True) : n ≠ 0 := sorry

theorem default_in_it (n : Nat) (h : 0 < n := by omega) : n ≠ 0 := sorry

theorem fin_in_it : (⟨2, by omega⟩ : Fin 3).val = 2 := sorry
