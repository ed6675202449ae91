import { NotAudited } from '@indelible/typeorm';
import { Column, DeleteDateColumn, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class Book {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text')
  title!: string;

  @Column('text')
  shelf!: string;

  @Column('int')
  copies!: number;

  @OneToMany(
    () => Loan,
    (loan) => loan.book,
  )
  loans!: Loan[];
}

@Entity()
export class Reader {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text')
  name!: string;

  /** Masked by its name. */
  @Column('text', { select: false })
  password!: string;

  /** Nobody's business, not even the auditor's. */
  @NotAudited()
  @Column('text', { default: '' })
  notes!: string;

  @DeleteDateColumn()
  left?: Date | null;

  @OneToMany(
    () => Loan,
    (loan) => loan.reader,
  )
  loans!: Loan[];
}

@Entity()
export class Loan {
  @PrimaryGeneratedColumn()
  id!: number;

  @ManyToOne(
    () => Book,
    (book) => book.loans,
    { nullable: false, onDelete: 'CASCADE' },
  )
  book!: Book;

  @ManyToOne(
    () => Reader,
    (reader) => reader.loans,
    { nullable: false, onDelete: 'CASCADE' },
  )
  reader!: Reader;
}
