def helper (n : Nat) : Prop := match n with | 0 => False | _ + 1 => True

theorem first (n : Nat) (h : match n with | 0 => False | _ + 1 => True) : helper n := h

def Op := Bool

theorem match_in_it (n : Nat) (h : match n with | 0 => False | _ + 1 => True) : n ≠ 0 := by
  cases n with
  | zero => exact h.elim
  | succ n => simp

theorem fin_before : (⟨1, by decide⟩ : Fin 3).val = 1 := rfl

theorem default_in_it (n : Nat) (h : 0 < n := by omega) : n ≠ 0 := by omega

theorem fin_in_it : (⟨2, by omega⟩ : Fin 3).val = 2 := rfl
