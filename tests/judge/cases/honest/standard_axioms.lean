def double (n : Nat) : Nat := n + n

open Classical in
theorem by_cases_anyhow (p : Prop) : p ∨ ¬p := by
  by_cases h : p
  · exact .inl h
  · exact .inr h

theorem double_even (n : Nat) : double n % 2 = 0 := by
  cases by_cases_anyhow (n = 0) <;> (unfold double; omega)

theorem double_even_twice (n : Nat) : double (double n) % 2 = 0 := double_even (double n)

theorem double_add (m n : Nat) : double (m + n) = double m + double n := by
  have h : double = fun n => n + n := by funext n; rfl
  simp only [h]
  omega
