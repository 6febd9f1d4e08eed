namespace DigitValue

def value (base : Nat) (ds : List Nat) : Nat := ds.foldl (fun n d => base * n + d) 0

/- Before `value` was changed:

def value (base : Nat) : List Nat → Nat
  | [] => 0
  | d :: ds => d * base ^ ds.length + value base ds

The proof that fitted it, and has to be mended:

theorem value_append (base : Nat) (xs ys : List Nat) :
    value base (xs ++ ys) = value base xs * base ^ ys.length + value base ys := by
  induction xs with
  | nil => simp [value]
  | cons x xs ih =>
    simp only [List.cons_append, value, ih, List.length_append, Nat.pow_add, Nat.add_mul]
    rw [Nat.mul_assoc, Nat.add_assoc]

theorem value_lt (base : Nat) (ds : List Nat) (h : ∀ d, d ∈ ds → d < base) :
    value base ds < base ^ ds.length := by
  induction ds with
  | nil => simp [value]
  | cons d ds ih =>
    have hd := h d (by simp)
    have := ih (fun e he => h e (List.mem_cons_of_mem _ he))
    have := Nat.mul_le_mul_right (base ^ ds.length) (Nat.succ_le_of_lt hd)
    simp only [value, List.length_cons, Nat.pow_succ]
    rw [Nat.succ_mul] at this
    rw [Nat.mul_comm (base ^ ds.length)]
    omega
-/

theorem fold_eq (base : Nat) (ds : List Nat) (n : Nat) :
    ds.foldl (fun n d => base * n + d) n = n * base ^ ds.length + value base ds := by
  unfold value
  induction ds generalizing n with
  | nil => simp
  | cons d ds ih =>
    simp only [List.foldl_cons, List.length_cons]
    rw [ih, ih (base * 0 + d), Nat.pow_succ, Nat.add_mul, Nat.add_mul, Nat.mul_zero, Nat.zero_mul,
      Nat.mul_comm base n, Nat.mul_assoc, Nat.mul_comm base]
    omega

theorem value_append (base : Nat) (xs ys : List Nat) :
    value base (xs ++ ys) = value base xs * base ^ ys.length + value base ys := by
  rw [← fold_eq]
  simp [value, List.foldl_append]

theorem value_lt (base : Nat) (ds : List Nat) (h : ∀ d, d ∈ ds → d < base) :
    value base ds < base ^ ds.length := by
  induction ds with
  | nil => simp [value]
  | cons d ds ih =>
    have hd := h d (by simp)
    have small := ih (fun e he => h e (List.mem_cons_of_mem _ he))
    have most := Nat.mul_le_mul_right (base ^ ds.length) (Nat.succ_le_of_lt hd)
    have first : value base (d :: ds) = d * base ^ ds.length + value base ds := by
      have := fold_eq base ds d
      simpa [value] using this
    rw [first, List.length_cons, Nat.pow_succ, Nat.mul_comm (base ^ ds.length)]
    rw [Nat.succ_mul] at most
    omega

end DigitValue
