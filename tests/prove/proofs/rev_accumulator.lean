namespace RevAcc

def rev {α : Type} : List α → List α
  | [] => []
  | x :: xs => rev xs ++ [x]

def revAcc {α : Type} : List α → List α → List α
  | [], acc => acc
  | x :: xs, acc => revAcc xs (x :: acc)

theorem revAcc_eq {α : Type} (xs acc : List α) : revAcc xs acc = rev xs ++ acc := by
  induction xs generalizing acc with
  | nil => rfl
  | cons x xs ih => simp [revAcc, rev, ih]

theorem rev_append {α : Type} (xs ys : List α) : rev (xs ++ ys) = rev ys ++ rev xs := by
  induction xs with
  | nil => simp [rev]
  | cons x xs ih => simp [rev, ih]

theorem revAcc_correct {α : Type} (xs : List α) : revAcc xs [] = rev xs := by
  rw [revAcc_eq, List.append_nil]

theorem rev_rev {α : Type} (xs : List α) : rev (rev xs) = xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih => simp [rev, rev_append, ih]

end RevAcc
