namespace Rotate

def rotate {α : Type} : Nat → List α → List α
  | 0, xs => xs
  | _ + 1, [] => []
  | n + 1, x :: xs => rotate n (xs ++ [x])

theorem rotate_nil {α : Type} (n : Nat) : rotate n ([] : List α) = [] := by
  cases n <;> rfl

theorem rotate_append {α : Type} (xs ys : List α) : rotate xs.length (xs ++ ys) = ys ++ xs := by
  induction xs generalizing ys with
  | nil => simp [rotate]
  | cons x xs ih =>
    have := ih (ys ++ [x])
    simp only [List.length_cons, List.cons_append, rotate, List.append_assoc]
    simpa using this

theorem length_rotate {α : Type} (n : Nat) (xs : List α) :
    (rotate n xs).length = xs.length := by
  induction n generalizing xs with
  | zero => rfl
  | succ n ih =>
    cases xs with
    | nil => rfl
    | cons x xs => simp [rotate, ih]

theorem rotate_rotate {α : Type} (m n : Nat) (xs : List α) :
    rotate m (rotate n xs) = rotate (n + m) xs := by
  induction n generalizing xs with
  | zero => simp [rotate]
  | succ n ih =>
    cases xs with
    | nil => simp [rotate_nil]
    | cons x xs =>
      rw [Nat.add_right_comm]
      exact ih (xs ++ [x])

theorem rotate_length {α : Type} (xs : List α) : rotate xs.length xs = xs := by
  simpa using rotate_append xs []

theorem rotate_mod {α : Type} (n : Nat) (xs : List α) :
    rotate (n % xs.length) xs = rotate n xs := by
  have turns : ∀ k, rotate (k * xs.length) xs = xs := by
    intro k
    induction k with
    | zero => simp [rotate]
    | succ k ih => rw [Nat.succ_mul, ← rotate_rotate, ih, rotate_length]
  conv => rhs; rw [← Nat.div_add_mod n xs.length, Nat.mul_comm, ← rotate_rotate, turns]

end Rotate
