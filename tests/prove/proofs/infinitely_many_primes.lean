namespace Primes

def Prime (p : Nat) : Prop := 2 ≤ p ∧ ∀ d, d ∣ p → d = 1 ∨ d = p

def factorial : Nat → Nat
  | 0 => 1
  | n + 1 => (n + 1) * factorial n

theorem factorial_pos (n : Nat) : 0 < factorial n := by
  induction n with
  | zero => exact Nat.one_pos
  | succ n ih => exact Nat.mul_pos (Nat.succ_pos n) ih

theorem dvd_factorial {k n : Nat} (h : 0 < k) (hk : k ≤ n) : k ∣ factorial n := by
  induction n with
  | zero => omega
  | succ n ih =>
    rw [factorial]
    by_cases e : k = n + 1
    · rw [e]
      exact Nat.dvd_mul_right _ _
    · exact Nat.dvd_trans (ih (by omega)) (Nat.dvd_mul_left _ _)

theorem exists_prime_dvd (n : Nat) (h : 2 ≤ n) : ∃ p, Prime p ∧ p ∣ n := by
  induction n using Nat.strongRecOn with
  | ind n ih =>
    by_cases hp : Prime n
    · exact ⟨n, hp, Nat.dvd_refl n⟩
    · have hd : ∃ d, d ∣ n ∧ d ≠ 1 ∧ d ≠ n := by
        apply Classical.byContradiction
        intro hno
        refine hp (And.intro h ?_)
        intro d hd
        by_cases h1 : d = 1
        · exact Or.inl h1
        · by_cases h2 : d = n
          · exact Or.inr h2
          · exact absurd ⟨d, hd, h1, h2⟩ hno
      obtain ⟨d, hd, h1, h2⟩ := hd
      have hle := Nat.le_of_dvd (by omega) hd
      have h0 : d ≠ 0 := by
        intro e
        rw [e] at hd
        have := Nat.eq_zero_of_zero_dvd hd
        omega
      obtain ⟨p, hp, hpd⟩ := ih d (by omega) (by omega)
      exact ⟨p, hp, Nat.dvd_trans hpd hd⟩

theorem infinitely_many (n : Nat) : ∃ p, n < p ∧ Prime p := by
  have hpos := factorial_pos n
  obtain ⟨p, hp, hd⟩ := exists_prime_dvd (factorial n + 1) (by omega)
  refine ⟨p, ?_, hp⟩
  apply Nat.lt_of_not_le
  intro hle
  have h2 := hp.1
  have h1 := (Nat.dvd_add_right (dvd_factorial (by omega) hle)).mp hd
  have := Nat.le_of_dvd Nat.one_pos h1
  omega

end Primes
