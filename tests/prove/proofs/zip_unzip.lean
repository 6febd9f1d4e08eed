namespace ZipUnzip

def zip {α β : Type} : List α → List β → List (α × β)
  | x :: xs, y :: ys => (x, y) :: zip xs ys
  | _, _ => []

def unzip {α β : Type} : List (α × β) → List α × List β
  | [] => ([], [])
  | (x, y) :: ps => (x :: (unzip ps).1, y :: (unzip ps).2)

theorem zip_unzip {α β : Type} (ps : List (α × β)) : zip (unzip ps).1 (unzip ps).2 = ps := by
  induction ps with
  | nil => rfl
  | cons p ps ih => simp [unzip, zip, ih]

theorem unzip_zip {α β : Type} (xs : List α) (ys : List β) :
    unzip (zip xs ys) = (xs.take ys.length, ys.take xs.length) := by
  induction xs generalizing ys with
  | nil => simp [zip, unzip]
  | cons x xs ih =>
    cases ys with
    | nil => simp [zip, unzip]
    | cons y ys => simp [zip, unzip, ih]

theorem getElem?_zip {α β : Type} (xs : List α) (ys : List β) (i : Nat) (x : α) (y : β) :
    (zip xs ys)[i]? = some (x, y) ↔ xs[i]? = some x ∧ ys[i]? = some y := by
  induction xs generalizing ys i with
  | nil => simp [zip]
  | cons a xs ih =>
    cases ys with
    | nil => simp [zip]
    | cons b ys =>
      cases i with
      | zero => simp [zip]
      | succ i => simp [zip, ih]

end ZipUnzip
