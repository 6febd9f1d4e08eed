noncomputable def witness (n : Nat) (h : ∃ m, n = m + m) : Nat := h.choose

open Classical in
theorem even_or (n : Nat) : (∃ m, n = m + m) ∨ ¬∃ m, n = m + m := em _

def half (n : Nat) : Nat := n / 2

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  cases even_or n with
  | inl h => have := h.choose_spec; unfold half; omega
  | inr h => unfold half; omega
