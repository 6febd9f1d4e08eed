mutual
def even : Nat → Bool
  | 0 => true
  | n + 1 => odd n
def odd : Nat → Bool
  | 0 => false
  | n + 1 => even n
end

theorem both (n : Nat) : even (n + n) = true ∧ odd (n + n) = false := by
  induction n with
  | zero => simp [even, odd]
  | succ n ih =>
    have h : n + 1 + (n + 1) = n + n + 1 + 1 := by omega
    rw [h]
    simp [even, odd, ih]

theorem even_double (n : Nat) : even (n + n) = true := (both n).1

theorem odd_double (n : Nat) : odd (n + n) = false := (both n).2
