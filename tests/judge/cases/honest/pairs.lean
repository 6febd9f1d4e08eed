def code (a b : Nat) : Nat := (a + b) * (a + b) + a

def root (n : Nat) : Nat → Nat
  | 0 => 0
  | k + 1 => if (k + 1) * (k + 1) ≤ n then k + 1 else root n k

def decode (n : Nat) : Nat × Nat :=
  let s := root n n
  (n - s * s, s - (n - s * s))

theorem root_eq (s r : Nat) (h : r < 2 * s + 1) : ∀ k, s ≤ k → root (s * s + r) k = s := by
  intro k hk
  induction k with
  | zero => simp [root]; omega
  | succ k ih =>
    simp only [root]
    by_cases hs : s = k + 1
    · subst hs; simp
    · have hlt : s ≤ k := by omega
      have h1 : (s + 1) * (s + 1) ≤ (k + 1) * (k + 1) :=
        Nat.mul_le_mul (by omega) (by omega)
      have h2 : (s + 1) * (s + 1) = s * s + 2 * s + 1 := by
        rw [Nat.add_mul, Nat.mul_add]; omega
      rw [if_neg (by omega)]
      exact ih hlt

theorem decode_code (a b : Nat) : decode (code a b) = (a, b) := by
  have hs : a + b ≤ (a + b) * (a + b) + a := by
    have := Nat.le_mul_self (a + b)
    omega
  have h := root_eq (a + b) a (by omega) _ hs
  simp only [decode, code, h]
  ext <;> simp <;> omega
