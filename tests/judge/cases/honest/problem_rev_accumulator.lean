namespace RevAcc

def rev {α : Type} : List α → List α
  | [] => []
  | x :: xs => rev xs ++ [x]

def revAcc {α : Type} : List α → List α → List α
  | [], acc => acc
  | x :: xs, acc => revAcc xs (x :: acc)

theorem revAcc_correct {α : Type} (xs : List α) : revAcc xs [] = rev xs := by
  have h : ∀ (xs acc : List α), revAcc xs acc = rev xs ++ acc := by
    intro xs
    induction xs with
    | nil => intro acc; rfl
    | cons x xs ih => intro acc; simp [revAcc, rev, ih]
  simpa using h xs []

theorem rev_rev {α : Type} (xs : List α) : rev (rev xs) = xs := by
  have h : ∀ (xs ys : List α), rev (xs ++ ys) = rev ys ++ rev xs := by
    intro xs ys
    induction xs with
    | nil => simp [rev]
    | cons x xs ih => simp [rev, ih]
  induction xs with
  | nil => rfl
  | cons x xs ih => simp [rev, h, ih]

end RevAcc
