namespace Digits

/-- Value of a list of decimal digits, least significant first. -/
def ofDigits : List Nat → Nat
  | [] => 0
  | d :: ds => d + 10 * ofDigits ds

/-- Decimal digits of a number, least significant first. -/
def digits (n : Nat) : List Nat :=
  if h : n < 10 then [n] else n % 10 :: digits (n / 10)
termination_by n
decreasing_by omega

theorem ofDigits_digits (n : Nat) : ofDigits (digits n) = n := by
  induction n using Nat.strongRecOn with
  | ind n ih =>
    by_cases h : n < 10
    · rw [digits, dif_pos h]
      rfl
    · rw [digits, dif_neg h, ofDigits, ih (n / 10) (by omega)]
      omega

theorem digits_lt (n : Nat) : ∀ d, d ∈ digits n → d < 10 := by
  induction n using Nat.strongRecOn with
  | ind n ih =>
    intro d hd
    by_cases h : n < 10
    · rw [digits, dif_pos h] at hd
      have := List.mem_singleton.mp hd
      omega
    · rw [digits, dif_neg h] at hd
      rcases List.mem_cons.mp hd with rfl | hd
      · exact Nat.mod_lt _ (by omega)
      · exact ih (n / 10) (by omega) d hd

theorem digits_ne_nil (n : Nat) : digits n ≠ [] := by
  by_cases h : n < 10
  · rw [digits, dif_pos h]
    exact List.cons_ne_nil _ _
  · rw [digits, dif_neg h]
    exact List.cons_ne_nil _ _

end Digits
