namespace EulerPrimes

def Prime (p : Nat) : Prop := 2 ≤ p ∧ ∀ d, d ∣ p → d = 1 ∨ d = p

theorem not_always_prime : ¬ ∀ (n : Nat), Prime (n * n + n + 41) := by
  intro h
  have := (h 40).2 41 ⟨41, rfl⟩
  omega

end EulerPrimes
