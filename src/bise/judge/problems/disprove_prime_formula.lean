namespace EulerPrimes

def Prime (p : Nat) : Prop := 2 ≤ p ∧ ∀ d, d ∣ p → d = 1 ∨ d = p

theorem always_prime (n : Nat) : Prime (n * n + n + 41) := sorry

end EulerPrimes
