def double (n : Nat) : Nat := n + n
theorem a1 (p q : Prop) (hp : p) (hq : q) : p ∧ q := by constructor <;> assumption
theorem a2 (n : Nat) : n + 0 = n := by conv => lhs; simp
theorem a3 (a b c : Nat) : a + b + c = c + b + a := by ac_rfl
theorem a4 : ∃ x : Nat, x * x = 49 := ⟨7, by decide⟩
theorem a5 (x : Nat) (h : x < 3) : x = 0 ∨ x = 1 ∨ x = 2 := by
  match x, h with
  | 0, _ => simp
  | 1, _ => simp
  | 2, _ => simp
theorem a6 (f : Nat → Nat) (h : ∀ x, f x = x) : f = id := funext h
theorem a7 (xs : List Nat) : xs.reverse.reverse = xs := by grind
theorem a8 : (List.range 50).sum = 1225 := by decide
theorem a9 (b : Bool) : (b && !b) = false := by cases b <;> rfl
theorem a10 : ¬ (1 = 2) := nofun
theorem a11 (n m : Nat) (h : n ≤ m) : ∃ k, m = n + k := by obtain ⟨k, hk⟩ := Nat.exists_eq_add_of_le h; exact ⟨k, hk⟩
theorem a12 : 2 ^ 100 % 7 = 2 := by decide +kernel
theorem double_even (n : Nat) : double n % 2 = 0 := by
  induction n with
  | zero => rfl
  | succ n ih => unfold double at *; omega
