namespace Cursor

/-- A place in a list: what is before it and what is behind it. -/
structure Zipper (α : Type) where
  before : List α
  behind : List α

def toList {α : Type} (z : Zipper α) : List α := z.before ++ z.behind

def right {α : Type} (z : Zipper α) : Zipper α :=
  match z.behind with
  | [] => z
  | x :: rest => ⟨z.before ++ [x], rest⟩

def left {α : Type} (z : Zipper α) : Zipper α :=
  match z.before.getLast? with
  | none => z
  | some x => ⟨z.before.dropLast, x :: z.behind⟩

def insert {α : Type} (x : α) (z : Zipper α) : Zipper α := ⟨z.before ++ [x], z.behind⟩

/- Before `toList`, `right`, `left` and `insert` were changed:

def toList {α : Type} (z : Zipper α) : List α := z.before.reverse ++ z.behind

def right {α : Type} (z : Zipper α) : Zipper α :=
  match z.behind with
  | [] => z
  | x :: rest => ⟨x :: z.before, rest⟩

def left {α : Type} (z : Zipper α) : Zipper α :=
  match z.before with
  | [] => z
  | x :: rest => ⟨rest, x :: z.behind⟩

def insert {α : Type} (x : α) (z : Zipper α) : Zipper α := ⟨x :: z.before, z.behind⟩

The proof that fitted it, and has to be mended:

theorem toList_right {α : Type} (z : Zipper α) : toList (right z) = toList z := by
  obtain ⟨before, behind⟩ := z
  cases behind <;> simp [right, toList]

theorem toList_left {α : Type} (z : Zipper α) : toList (left z) = toList z := by
  obtain ⟨before, behind⟩ := z
  cases before <;> simp [left, toList]

theorem left_right {α : Type} (z : Zipper α) (h : z.behind ≠ []) : left (right z) = z := by
  obtain ⟨before, behind⟩ := z
  cases behind with
  | nil => exact absurd rfl h
  | cons x behind => rfl

theorem right_left {α : Type} (z : Zipper α) (h : z.before ≠ []) : right (left z) = z := by
  obtain ⟨before, behind⟩ := z
  cases before with
  | nil => exact absurd rfl h
  | cons x before => rfl

theorem toList_insert {α : Type} (x : α) (z : Zipper α) :
    toList (insert x z) = z.before.reverse ++ x :: z.behind := by
  simp [insert, toList]
-/

theorem toList_right {α : Type} (z : Zipper α) : toList (right z) = toList z := sorry

theorem toList_left {α : Type} (z : Zipper α) : toList (left z) = toList z := sorry

theorem left_right {α : Type} (z : Zipper α) (h : z.behind ≠ []) : left (right z) = z := sorry

theorem right_left {α : Type} (z : Zipper α) (h : z.before ≠ []) : right (left z) = z := sorry

theorem toList_insert {α : Type} (x : α) (z : Zipper α) :
    toList (insert x z) = z.before ++ x :: z.behind := sorry

end Cursor
